// BLAKE2b (RFC 7693) without a key: Node's own gives digests of 64 bytes only, and a shorter one is another hash.

const MASK = (1n << 64n) - 1n;
const BLOCK = 128;
const IV = [
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
];
const SIGMA = [
  "0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8", "905724afe1bc683d",
  "2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0",
].map((row) => [...row].map((digit) => parseInt(digit, 16)));

const rotated = (word, bits) => ((word >> bits) | (word << (64n - bits))) & MASK;

function compress(state, block, counted, isLast) {
  const v = [...state, ...IV];
  v[12] ^= BigInt(counted);
  if (isLast) v[14] ^= MASK;
  const m = Array.from({ length: 16 }, (_, at) => block.readBigUInt64LE(8 * at));
  const mix = (a, b, c, d, x, y) => {
    v[a] = (v[a] + v[b] + x) & MASK;
    v[d] = rotated(v[d] ^ v[a], 32n);
    v[c] = (v[c] + v[d]) & MASK;
    v[b] = rotated(v[b] ^ v[c], 24n);
    v[a] = (v[a] + v[b] + y) & MASK;
    v[d] = rotated(v[d] ^ v[a], 16n);
    v[c] = (v[c] + v[d]) & MASK;
    v[b] = rotated(v[b] ^ v[c], 63n);
  };
  for (let round = 0; round < 12; round += 1) {
    const s = SIGMA[round % 10];
    for (let i = 0; i < 4; i += 1) mix(i, 4 + i, 8 + i, 12 + i, m[s[2 * i]], m[s[2 * i + 1]]);
    for (let i = 0; i < 4; i += 1) {
      mix(i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4), m[s[8 + 2 * i]], m[s[9 + 2 * i]]);
    }
  }
  state.forEach((word, at) => { state[at] = word ^ v[at] ^ v[at + 8]; });
}

export function blake2b(text, bytes) {
  const message = Buffer.from(text, "utf8");
  const state = [...IV];
  state[0] ^= 0x01010000n ^ BigInt(bytes);
  const blocks = Math.max(1, Math.ceil(message.length / BLOCK));
  for (let at = 0; at < blocks; at += 1) {
    const block = Buffer.alloc(BLOCK);
    message.copy(block, 0, at * BLOCK);
    const isLast = at === blocks - 1;
    compress(state, block, isLast ? message.length : (at + 1) * BLOCK, isLast);
  }
  const digest = Buffer.alloc(64);
  state.forEach((word, at) => digest.writeBigUInt64LE(word, 8 * at));
  return digest.subarray(0, bytes);
}

// A conflict passes through to whoever subscribes; it is stored nowhere.
export function request(ctx) {
  return { payload: ctx.args.conflict };
}

export function response(ctx) {
  return ctx.result;
}

import { util } from '@aws-appsync/utils';

export function request(ctx) {
  const { limit, nextToken, lastSync } = ctx.args;
  return { operation: 'Sync', limit: limit ?? 100, nextToken, lastSync };
}

export function response(ctx) {
  return ctx.error ? util.error(ctx.error.message, ctx.error.type, ctx.result) : ctx.result;
}

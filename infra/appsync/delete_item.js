import { util } from '@aws-appsync/utils';

export function request(ctx) {
  const { Id, _version } = ctx.args;
  return { operation: 'DeleteItem', key: util.dynamodb.toMapValues({ Id }), _version };
}

export function response(ctx) {
  return ctx.error ? util.error(ctx.error.message, ctx.error.type, ctx.result) : ctx.result;
}

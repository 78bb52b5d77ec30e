import { util } from '@aws-appsync/utils';

export function request(ctx) {
  const { Id, ...attributes } = ctx.args.input;
  return {
    operation: 'PutItem',
    key: util.dynamodb.toMapValues({ Id }),
    attributeValues: util.dynamodb.toMapValues(attributes),
    condition: { expression: 'attribute_not_exists(#id)', expressionNames: { '#id': 'Id' } },
  };
}

export function response(ctx) {
  return ctx.error ? util.error(ctx.error.message, ctx.error.type, ctx.result) : ctx.result;
}

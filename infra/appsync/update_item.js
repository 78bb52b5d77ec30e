import { util } from '@aws-appsync/utils';

// Sets what the input names, and nothing else: what a stale mutation leaves out is never contested.
export function request(ctx) {
  const { Id, _version, ...attributes } = ctx.args.input;
  const expressionNames = {};
  const values = {};
  const assignments = Object.keys(attributes).map((name, position) => {
    expressionNames[`#n${position}`] = name;
    values[`:v${position}`] = attributes[name];
    return `#n${position} = :v${position}`;
  });
  return {
    operation: 'UpdateItem',
    key: util.dynamodb.toMapValues({ Id }),
    update: {
      expression: `SET ${assignments.join(', ')}`,
      expressionNames,
      expressionValues: util.dynamodb.toMapValues(values),
    },
    condition: { expression: 'attribute_exists(#id)', expressionNames: { '#id': 'Id' } },
    _version,
  };
}

export function response(ctx) {
  return ctx.error ? util.error(ctx.error.message, ctx.error.type, ctx.result) : ctx.result;
}

'use strict';

// Functions get the names that worker.yaml gives them (stream: StreamFunction), so that its resources find them.
module.exports = class {
  constructor(serverless) {
    const { naming } = serverless.getProvider('aws');
    naming.getLambdaLogicalId = (name) => `${name[0].toUpperCase()}${name.slice(1)}Function`;
  }
};

// For `node --require`, as auto-instrumentation is loaded: the SDK runs before any line of the program.
globalThis.preloaded = require('./start-otel.cjs').start(JSON.parse(process.env.OTEL_CASE ?? '{}'))

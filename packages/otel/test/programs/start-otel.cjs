// Starts an OpenTelemetry SDK, 2.x or 3.x, with its http and undici instrumentation. Spans stay in memory.
const { context, propagation } = require('@opentelemetry/api')
const { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } = require('@opentelemetry/core')
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http')
const { UndiciInstrumentation } = require('@opentelemetry/instrumentation-undici')
const { NodeSDK } = require('@opentelemetry/sdk-node')

/**
 * - `laneway`: with what `@laneway/otel` adds to an SDK
 * - `propagator`: options of `LanePropagator`, or none
 */
exports.start = ({ laneway = true, propagator } = {}) => {
  const otel = laneway ? require('@laneway/otel') : undefined
  const hooks = otel?.createLaneHooks()
  const spans = []
  const collect = { onStart() {}, onEnd: span => spans.push(span), async forceFlush() {}, async shutdown() {} }
  const requestHeaders = ['x-id']
  const sdk = new NodeSDK({
    serviceName: 'chain',
    autoDetectResources: false,
    textMapPropagator: new CompositePropagator({
      propagators: [
        new W3CTraceContextPropagator(),
        new W3CBaggagePropagator(),
        ...(laneway && propagator ? [new otel.LanePropagator(propagator)] : []),
      ],
    }),
    spanProcessors: [...(laneway ? [new otel.LaneSpanProcessor()] : []), collect],
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [
      new HttpInstrumentation({
        ...hooks?.http,
        headersToSpanAttributes: { client: { requestHeaders }, server: { requestHeaders } },
        // The load generator of a test runs in the same process and stands for the world outside.
        ignoreOutgoingRequestHook: options => options.headers?.['x-outside'] !== undefined,
      }),
      new UndiciInstrumentation({ ...hooks?.undici, headersToSpanAttributes: { requestHeaders } }),
    ],
  })
  sdk.start()
  // What is loaded as ESM shares the patched object.
  require('node:http')
  return { spans: () => spans, context, propagation, stop: () => sdk.shutdown() }
}

// Imported first. Starts the OpenTelemetry SDK with everything that @laneway/otel adds to it.
import { createServer } from 'node:http'
import { createLaneHooks, LaneSpanProcessor, laneResourceAttributes, useOtelContext } from '@laneway/otel'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { NodeSDK, resources } from '@opentelemetry/sdk-node'

const exporter = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true })
const hooks = createLaneHooks()

const sdk = new NodeSDK({
  serviceName: process.env.SERVICE,
  resource: resources.resourceFromAttributes(laneResourceAttributes()),
  // In front of the processors that export: attributes have to be there when a span ends. Yours follow here.
  spanProcessors: [new LaneSpanProcessor()],
  metricReaders: [exporter],
  logRecordProcessors: [],
  instrumentations: [new HttpInstrumentation(hooks.http)],
})
sdk.start()
useOtelContext()

export const metrics = createServer((req, res) => exporter.getMetricsRequestHandler(req, res))

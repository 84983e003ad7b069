import { createRequire } from 'node:module'
import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { node, tracing } from '@opentelemetry/sdk-node'
import type { Test } from 'tap'
import { createLaneHooks, LanePropagator, LaneSpanProcessor, useOtelContext } from '../src/index.js'

/** An SDK of this process that keeps its spans, with the instrumentation of http and undici, until the test ends. */
export function startTracing(t: Test, options: { propagator?: boolean } = {}) {
  const exporter = new tracing.InMemorySpanExporter()
  const hooks = createLaneHooks()
  const processor = new LaneSpanProcessor()
  const provider = new node.NodeTracerProvider({
    spanProcessors: [processor, new tracing.SimpleSpanProcessor(exporter)],
  })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(provider)
  const propagators = [new W3CTraceContextPropagator(), new W3CBaggagePropagator()]
  propagation.setGlobalPropagator(
    new CompositePropagator({ propagators: options.propagator ? [...propagators, new LanePropagator()] : propagators }),
  )
  const instrumentations = [new HttpInstrumentation(hooks.http), new UndiciInstrumentation(hooks.undici)]
  // The compiled imports of the tests share the patched object.
  createRequire(import.meta.url)('node:http')
  useOtelContext()
  t.teardown(async () => {
    for (const one of instrumentations) one.disable()
    hooks.close()
    await provider.shutdown()
  })
  return {
    spans: () => exporter.getFinishedSpans(),
    forget: () => exporter.reset(),
    tracer: provider.getTracer('test'),
  }
}

// Sets OpenTelemetry and Laneway up in the order that the case says: `otel-first`, `laneway-first`, or `preloaded` by
// --require or --import.
import { createRequire } from 'node:module'
import { useOtelContext } from '@laneway/otel'

export const options = JSON.parse(process.env.OTEL_CASE ?? '{}')
const { start } = createRequire(import.meta.url)('./start-otel.cjs')
const lanes = () => {
  if (options.laneway !== false) useOtelContext(options.baggage ? { baggage: true } : {})
}

function setUp() {
  if (globalThis.preloaded !== undefined) {
    lanes()
    return globalThis.preloaded
  }
  if (options.order === 'laneway-first') lanes()
  const started = start(options)
  if (options.order !== 'laneway-first') lanes()
  return started
}

export const otel = setUp()

import type { EndpointInput, Source } from '@laneway/discovery'
import type { Test } from 'tap'
import type { SuiteInstance, SuiteRegistry } from './source-adapter.js'
import { SourceReports } from './source-reports.js'

/** Labels of lane `gray`. */
export const GRAY = { 'alicloud.service.tag': 'gray' }
/** Labels of lane `blue`, in the other spelling. */
export const BLUE = { 'opensergo.io/canary-blue': 'blue' }

/** An instance of base. */
export const one: SuiteInstance = { host: '10.0.0.1', port: 8001, labels: { app: 'orders' } }
/** An instance of lane `gray`. */
export const two: SuiteInstance = { host: '10.0.0.2', port: 8002, labels: GRAY, zone: 'hangzhou' }
/** An unhealthy instance of two lanes. */
export const three: SuiteInstance = { host: '10.0.0.3', port: 8003, labels: { ...GRAY, ...BLUE }, healthy: false }
/** All three. */
export const ORDERS = [one, two, three]
/** All three as {@link SourceReports.table} shows them. */
export const TABLE = '10.0.0.1:8001=base 10.0.0.2:8002=gray 10.0.0.3:8003=blue+gray'

/** So many instances of base, each with an address of its own. */
export function instances(count: number): SuiteInstance[] {
  return Array.from({ length: count }, (_, index) => ({
    host: `10.${(index >> 16) + 1}.${(index >> 8) & 255}.${index & 255}`,
    port: 8000,
  }))
}

/** A source that is closed with the test. */
export function open(t: Test, registry: SuiteRegistry): Source {
  const source = registry.open()
  t.teardown(() => source.close())
  return source
}

/** Subscribes to a service and records what is reported. */
export function subscribe(source: Source, service: string): SourceReports {
  const reports = new SourceReports()
  source.subscribe(service, reports.listener)
  return reports
}

/** Endpoints by their hosts. */
export function byHost(endpoints: readonly EndpointInput[]): Readonly<Record<string, EndpointInput | undefined>> {
  return Object.fromEntries(endpoints.map(endpoint => [endpoint.host, endpoint]))
}

import { type ServiceHandle, serviceHandle } from '@laneway/core/internal'
import type { Test } from 'tap'
import type { Choice, LaneResolver } from '../src/index.js'

/** `match` of a resolver, which has to agree with a handle that is kept per host since it was first asked for. */
export function matchByHandles(t: Test, resolver: LaneResolver) {
  const handles = new Map<string, ServiceHandle<Choice>>()
  return (hostname: string, port?: number, secure = false): string | undefined => {
    const key = `${hostname} ${port} ${secure}`
    const handle = handles.get(key) ?? serviceHandle<Choice>(resolver, { hostname, port, secure })
    handles.set(key, handle)
    const service = resolver.match(hostname, port, secure)
    if (handle.match() !== service) t.equal(handle.match(), service, `the handle of ${key}`)
    if (service === undefined) return undefined
    const { outcome, service: picked } = handle.pick(service, undefined)
    const expected = resolver.pick(service, undefined)
    if (outcome !== expected.outcome || picked !== expected.service)
      t.strictSame({ outcome, picked }, { outcome: expected.outcome, picked: expected.service }, `the handle of ${key}`)
    return service
  }
}

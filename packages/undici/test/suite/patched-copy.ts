import type { createUndiciPatch } from '../../src/internal.js'
import type { UndiciCopy } from './undici-copy.js'

/** Patches a copy as a preload would: the prototypes, once, before its users have made anything. */
export function patch(undici: UndiciCopy, patched: ReturnType<typeof createUndiciPatch>): void {
  for (const start of [undici.Agent, undici.ProxyAgent, undici.RetryAgent]) {
    for (let proto = start.prototype; proto.constructor.name !== 'EventEmitter'; proto = Object.getPrototypeOf(proto)) {
      const { name } = proto.constructor
      if (Object.hasOwn(proto, 'dispatch') && (name === 'DispatcherBase' || name === 'ProxyAgent')) {
        if (proto.dispatch.name !== 'patched') proto.dispatch = named(patched.wrapDispatch(proto.dispatch))
      }
      if (name === 'Dispatcher' && proto.compose.name !== 'patched') {
        proto.compose = named(patched.wrapCompose(proto.compose))
      }
    }
  }
}

function named<F extends object>(fn: F): F {
  return Object.defineProperty(fn, 'name', { value: 'patched' })
}

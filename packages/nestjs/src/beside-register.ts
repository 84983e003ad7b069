import { AsyncLocalStorage } from 'node:async_hooks'
import type { ResolverHealth } from '@laneway/discovery'

/** The part of a resolver's health that is shown. */
export type Health = Pick<ResolverHealth, 'ready' | 'warnings' | 'services'>

const kRegister = Symbol.for('laneway.register.v1')

/** What `@laneway/register` has started in this thread; `undefined` where it was not preloaded. */
export function besideRegister(): { health(): Health } | undefined {
  return (AsyncLocalStorage as { [kRegister]?: { health(): Health } })[kRegister]
}

import { AsyncLocalStorage } from 'node:async_hooks'
import { createStaticSource, type StaticServices, type StaticSource } from '@laneway/discovery'

/** The services of all `fakeLanes` of this thread, where `@laneway/register` finds them. */
export interface TestSource {
  readonly source: StaticSource
  services: StaticServices
}

const key = Symbol.for('laneway.testing.v1')
/** One for all realms of the thread: Jest gives each test file a global object of its own. */
const holder = AsyncLocalStorage as { [key]?: TestSource }

/** Makes the source that register uses; called by the preload, before register starts. */
export function createTestSource(): void {
  holder[key] ??= { source: createStaticSource(), services: {} }
}

/** The source that the preload of this thread has made. */
export function testSource(): TestSource | undefined {
  return holder[key]
}

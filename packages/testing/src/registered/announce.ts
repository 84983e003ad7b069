import { LanewayError } from '@laneway/core'
import type { StaticServices } from '@laneway/discovery'
import { testSource } from './test-source.js'

/**
 * Makes services known to `@laneway/register`, where `@laneway/testing/register` has started it in this thread.
 *
 * @returns takes them back
 * @throws LanewayError `LANEWAY_INVALID_OPTION` when one of them is there already: register has one resolver for the thread
 */
export function announce(services: StaticServices): () => void {
  const found = testSource()
  if (found === undefined) return () => {}
  const twice = Object.keys(services).find(name => Object.hasOwn(found.services, name))
  if (twice !== undefined) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `fakeLanes: "${twice}" is faked already, and code under @laneway/register can see one "${twice}" only; close() the other`,
    )
  }
  const publish = (next: StaticServices) => {
    found.source.update(next)
    found.services = next
  }
  publish({ ...found.services, ...services })
  return () => publish(Object.fromEntries(Object.entries(found.services).filter(([name]) => !(name in services))))
}

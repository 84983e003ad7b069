import type { EgressResolver } from '@laneway/discovery'
import { besideRegister, type Health } from './beside-register.js'

/** What a health check of `@nestjs/terminus` takes. */
export type LanewayHealthResult = Record<
  string,
  { status: 'up' | 'down'; warnings: readonly string[]; services: Record<string, string> }
>

/**
 * A health indicator for `@nestjs/terminus` 10 to 12. It is down until every declared service was answered for once; a
 * registry that is lost later is a warning, because the last lists go on working.
 *
 * @example
 * \@HealthCheck() \@Get() check() { return this.health.check([() => this.laneway.isHealthy()]) }
 */
export class LanewayHealth {
  readonly #health: () => Health | undefined

  /** @param resolver - of the module; without one that of `@laneway/register`, where that runs */
  constructor(resolver: EgressResolver | undefined) {
    const { health } = (resolver ?? {}) as { health?: () => Health }
    this.#health = () => (health === undefined ? besideRegister()?.health() : health.call(resolver))
  }

  /**
   * @param key - the name in the answer
   * @throws what terminus takes for a failed check, with `causes`; not before the services are known
   */
  isHealthy(key = 'laneway'): LanewayHealthResult {
    const { ready = true, warnings = [], services = [] } = this.#health() ?? {}
    const result: LanewayHealthResult = {
      [key]: {
        status: ready ? 'up' : 'down',
        warnings,
        services: Object.fromEntries(services.map(({ service, state }) => [service, state])),
      },
    }
    if (ready) return result
    // terminus 10 takes a result for a success, and tells a failure by this property.
    throw Object.assign(new Error(`${key} is not ready`), { isHealthCheckError: true, causes: result })
  }
}

import { BoundedMap, type ServiceHandle, serviceHandle } from '@laneway/core/internal'
import type { Choice, EgressResolver } from '@laneway/discovery'
import type { Target } from '../call/call.js'

/** More origins than a service calls. */
const MAX_TARGETS = 1024

/** The handles of the targets of one route. Most calls in a row go to the same one. */
export class ServiceHandles {
  private lastTarget: Target | undefined
  private last: ServiceHandle<Choice> | undefined
  private readonly known = new BoundedMap<Target, ServiceHandle<Choice>>(MAX_TARGETS)
  private readonly make: (target: Target) => ServiceHandle<Choice>

  constructor(resolver: EgressResolver) {
    this.make = target => serviceHandle(resolver, target)
  }

  of(target: Target): ServiceHandle<Choice> {
    if (target !== this.lastTarget) {
      this.last = this.known.of(target, this.make)
      this.lastTarget = target
    }
    return this.last!
  }
}

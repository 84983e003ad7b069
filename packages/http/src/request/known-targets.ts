import type { ClientRequest } from 'node:http'
import { BoundedMap, serviceHandle } from '@laneway/core/internal'
import type { EgressResolver } from '@laneway/discovery'
import type { HopOptions } from '../node-internals.js'
import { isInOriginForm, portOf, type Target, targetOf } from './target.js'

/** More hosts than a service calls. */
const MAX_HOSTS = 1024

/** The targets of an agent, each with the handle of its host. Most requests in a row go to the same one. */
export class KnownTargets {
  private last: Target | undefined
  private readonly byHost = new BoundedMap<string, Target>(MAX_HOSTS)

  constructor(
    private readonly resolver: EgressResolver | undefined,
    private readonly secure: boolean,
  ) {}

  /** The target of a request. Never throws. */
  of(request: ClientRequest, options: HopOptions): Target {
    const { host } = options
    // A proxy and a tunnel have their target in the path.
    if (this.resolver === undefined || typeof host !== 'string' || !isInOriginForm(request))
      return targetOf(request, options, this.secure)
    const port = portOf(options)
    const { last } = this
    if (last !== undefined && last.hostname === host && last.port === port) return last
    return this.find(request, options, host, port)
  }

  private find(request: ClientRequest, options: HopOptions, host: string, port: number | undefined): Target {
    let target = this.byHost.get(host)
    if (target === undefined || target.port !== port) {
      target = targetOf(request, options, this.secure)
      target = { ...target, handle: serviceHandle(this.resolver!, target) }
      this.byHost.set(host, target)
    }
    this.last = target
    return target
  }
}

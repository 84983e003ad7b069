import { isIP } from 'node:net'

/** How host names and service names relate. */
export interface NamingOptions {
  /** Each begins with a dot. */
  readonly suffixes: readonly string[]
  /** Without dots at its ends. */
  readonly clusterDomain: string
  /** The namespace whose services are called by their bare name. */
  readonly namespace: string
}

/** What a host name asks for. */
export interface HostQuestion {
  /** The key of the service it would be. */
  readonly key: string
  /** The host is of a form that only ever names a service: a single label, or under a configured suffix. */
  readonly serviceForm: boolean
  /** The whole host, lower case, without trailing dot. */
  readonly host: string
}

/**
 * Brings names into the form in which they are equal: lower case, no trailing dot, without `.svc`, cluster domain and
 * own namespace. `sc-B`, `sc-b.default`, `sc-b.default.svc.cluster.local.` have one key.
 */
export class ServiceNaming {
  readonly #options: NamingOptions
  readonly #domain: string

  constructor(options: NamingOptions) {
    this.#options = options
    this.#domain = `.${options.clusterDomain.toLowerCase()}`
  }

  /** The key of a service name as a user or a source writes it. */
  keyOf(name: string): string {
    return this.#bare(trim(name.toLowerCase()))
  }

  /** The name to ask a source for: the case as written, the rest as in the key. */
  sourceNameOf(name: string): string {
    return trim(name).slice(0, this.keyOf(name).length)
  }

  /** `undefined` for what cannot name a service: an address, an empty host. */
  question(hostname: string): HostQuestion | undefined {
    const host = trim(hostname.toLowerCase())
    if (host === '' || host.startsWith('[') || isIP(host) !== 0) return undefined
    if (!host.includes('.')) return { key: host, serviceForm: true, host }
    const cut = this.#withoutSuffix(host)
    return { key: this.#withoutNamespace(cut), serviceForm: cut !== host, host }
  }

  #bare(name: string): string {
    return this.#withoutNamespace(this.#withoutSuffix(name))
  }

  #withoutSuffix(name: string): string {
    const short = cutEnd(name, this.#domain)
    for (const suffix of this.#options.suffixes) {
      const cut = cutEnd(short, suffix)
      if (cut !== short) return cut
    }
    return short
  }

  #withoutNamespace(name: string): string {
    return cutEnd(name, `.${this.#options.namespace}`)
  }
}

function trim(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name
}

/** Never leaves nothing. */
function cutEnd(name: string, end: string): string {
  return name.length > end.length && name.endsWith(end) ? name.slice(0, -end.length) : name
}

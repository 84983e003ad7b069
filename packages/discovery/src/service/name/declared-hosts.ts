/** Hosts under which declared services are called, whole. */
export class DeclaredHosts {
  readonly #hosts = new Set<string>()
  readonly #namespace: string

  constructor(namespace: string) {
    this.#namespace = namespace
  }

  add(name: string, key: string): void {
    for (const host of this.#hostsOf(name, key)) this.#hosts.add(host)
  }

  delete(name: string, key: string): void {
    for (const host of this.#hostsOf(name, key)) this.#hosts.delete(host)
  }

  has(host: string): boolean {
    return this.#hosts.has(host)
  }

  /** The namespace may be left out or written: of a declared service both are the whole name. */
  #hostsOf(name: string, key: string): string[] {
    const host = name.toLowerCase().replace(/\.$/, '')
    return key.includes('.') ? [host] : [host, `${key}.${this.#namespace}`]
  }
}

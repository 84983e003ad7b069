import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Instance } from './fleet.js'

/** Where the services of the demo find each other. */
export interface Registry {
  readonly name: string
  /** What a service needs in its environment to use it. */
  environment(): Record<string, string>
  add(instance: Instance): Promise<void>
  remove(instance: Instance): Promise<void>
  close(): Promise<void>
}

/** A JSON file that the driver keeps up to date, as a ConfigMap would be. */
export function createFileRegistry(): Registry {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-demo-'))
  const file = join(folder, 'endpoints.json')
  const services: Record<string, { host: string; port: number; tags: string[] }[]> = {
    'sc-A': [],
    'sc-B': [],
    'sc-C': [],
  }
  const write = () => {
    writeFileSync(`${file}.new`, JSON.stringify({ services }, null, 2))
    renameSync(`${file}.new`, file)
  }
  const parts = ({ service, address }: Instance) => {
    const name = `sc-${service.toUpperCase()}`
    const [host = '', port = ''] = address.split(':')
    return { name, host, port: Number(port) }
  }
  write()
  return {
    name: 'a file',
    environment: () => ({ ENDPOINTS_FILE: file }),
    async add(instance) {
      const { name, host, port } = parts(instance)
      services[name]?.push({ host, port, tags: instance.tag === '' ? [] : [instance.tag] })
      write()
    },
    async remove(instance) {
      const { name, port } = parts(instance)
      services[name] = (services[name] ?? []).filter(one => one.port !== port)
      write()
    },
    async close() {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

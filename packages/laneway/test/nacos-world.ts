import { createNacosClient, registerInstance } from '@laneway/nacos'
import { createNacosDevServer, type NacosDevServer } from '@laneway/nacos-dev-server'
import type { Test } from 'tap'
import type { DoctorReport } from '../src/index.js'
import { command, laneway } from './command-line.js'

export type Env = Record<string, string>

export interface Setup {
  readonly folder: string
  readonly env: Env
}

export const nacosServer = async (t: Test, options: object = {}) => {
  const nacos = await createNacosDevServer({ port: 0, pushDelayMs: 0, ...options }).start()
  t.teardown(() => nacos.close())
  return nacos
}

/** Registers instances that nobody serves. */
export async function registered(
  t: Test,
  nacos: NacosDevServer,
  ...instances: { service: string; ip?: string; port?: number; lane?: string; weight?: number; metadata?: Env }[]
): Promise<void> {
  for (const [index, { ip = `10.0.0.${index + 1}`, port = 8080, ...more }] of instances.entries()) {
    const client = createNacosClient({ servers: [nacos.address] })
    t.teardown(() => client.close())
    await registerInstance(client, {
      ip,
      port,
      ...more,
      lane: more.metadata === undefined ? (more.lane ?? 'base') : undefined,
    } as never)
  }
}

export async function report({ folder, env }: Setup): Promise<DoctorReport & { code: number | null }> {
  const { code, stdout, stderr } = await laneway(['doctor', '--json'], { folder, env })
  if (stdout === '') throw new Error(stderr)
  return { ...(JSON.parse(stdout) as DoctorReport), code }
}

/** The same in this process: for environments that a program would not start with, and because it costs less. */
export async function reportHere({ folder, env }: Setup): Promise<DoctorReport & { code: number | null }> {
  const { code, stdout, stderr } = await command(['doctor', '--json', '--timeout', '20000'], { folder, env })
  if (stdout === '') throw new Error(stderr)
  return { ...(JSON.parse(stdout) as DoctorReport), code }
}

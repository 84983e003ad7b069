import type { Table } from './case.js'

/** Every file of cases, in the order of the README. */
const files: readonly (() => Promise<readonly Table[]>)[] = [
  async () => (await import('./cases/core.js')).core,
  async () => (await import('./cases/ingress-frameworks.js')).ingressFrameworks,
  async () => (await import('./cases/ingress.js')).ingress,
  async () => (await import('./cases/egress.js')).egress,
  async () => (await import('./cases/trace.js')).trace,
  async () => (await import('./cases/pick.js')).pick,
  async () => (await import('./cases/rebuild.js')).rebuild,
  async () => (await import('./cases/hop.js')).hop,
  async () => (await import('./cases/sidecar.js')).sidecar,
  async () => (await import('./cases/grpc.js')).grpc,
  async () => (await import('./cases/register.js')).register,
  async () => (await import('./cases/rules.js')).rules,
  async () => (await import('./cases/messages.js')).messages,
  async () => (await import('./cases/gateway.js')).gateway,
  async () => (await import('./cases/hostile.js')).hostile,
  async () => (await import('./cases/nacos.js')).nacos,
  async () => (await import('./cases/kubernetes.js')).kubernetes,
  async () => (await import('./cases/memory.js')).memory,
  async () => (await import('./cases/scale.js')).scale,
]

export async function allTables(): Promise<readonly Table[]> {
  return (await Promise.all(files.map(load => load()))).flat()
}

/**
 * One table. A file of other cases that cannot be loaded is passed over: it may need what an earlier version does not have.
 *
 * @throws Error with the causes when no file that can be loaded has it
 */
export async function tableNamed(name: string): Promise<Table> {
  const causes: unknown[] = []
  for (const load of files) {
    const tables = await load().catch((error: unknown) => {
      causes.push(error)
      return []
    })
    const found = tables.find(table => table.name === name)
    if (found !== undefined) return found
  }
  throw new AggregateError(causes, `there is no table ${name}`)
}

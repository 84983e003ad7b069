// Runs rows in one way: a process for a batch, one row after the other, each driven by A.
import { drive, requestsOf } from './drive.mjs'
import { groupById } from './judge.mjs'
import { runProgram } from './run-program.mjs'
import { startProcess } from './service-process.mjs'

/**
 * What was seen of every row of a batch, by file: `{ requests, answers, hits, byId, notes, port, end, fault }`.
 * A row that ends its process gets its own; the rows after it get a new one.
 */
export async function runBatch(batch, way, world) {
  const seen = new Map()
  let service
  let mine = []
  const end = async () => {
    if (service === undefined) return
    const ending = await service.end()
    const fault = /[^\s":]+ had a fault; [^\n]*/.exec(service.output())?.[0]
    // A row that ends the process early says nothing about those before it.
    const charged = seen.get(mine.at(-1))?.broken === undefined ? mine : mine.slice(-1)
    for (const file of charged) Object.assign(seen.get(file), { end: ending, fault })
    service = undefined
    mine = []
  }
  for (const { file, row } of batch) {
    world.neighbours.state.answer = row.answer
    world.neighbours.state.idOf = row.idOf
    if (row.program !== undefined) {
      seen.set(file, await runProgram(row, way, world))
      continue
    }
    try {
      service ??= await startProcess({ ...world, ...row, way })
    } catch (error) {
      seen.set(file, empty(row, error))
      continue
    }
    mine.push(file)
    seen.set(file, await runRow(file, row, service, world.neighbours))
    if (service.ending !== undefined || seen.get(file).broken) await end()
  }
  await end()
  return seen
}

async function runRow(file, row, service, neighbours) {
  const requests = requestsOf(row)
  neighbours.forget()
  try {
    const { port } = await service.ask({ order: 'start', file })
    const answers = await drive(row, requests, port)
    const hits = neighbours.forget()
    const told = await service.ask({ order: 'stop' }).catch(error => ({ notes: {}, hits: [], error }))
    const all = [...hits, ...told.hits]
    return { requests, answers, hits: all, byId: groupById(all), notes: told.notes, port, broken: told.error }
  } catch (error) {
    return empty(row, error)
  }
}

export function empty(row, error) {
  return {
    requests: requestsOf(row),
    answers: new Map(),
    hits: [],
    byId: new Map(),
    notes: {},
    port: 0,
    broken: error,
  }
}

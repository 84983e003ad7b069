// Runs the cells of one ingress, or every nth of them, on the Node that runs this, and prints each as a line of JSON.
import { startBackend } from './backend.mjs'
import { runCell } from './cell.mjs'
import { CONDITIONS } from './conditions.mjs'
import { EGRESSES } from './egresses.mjs'
import { startFront } from './front.mjs'
import { notApplicable } from './not-applicable.mjs'
import { createRegisterFronts } from './register-front.mjs'
import { resolveThird } from './third.mjs'
import { controlOf, controlWiring, lanewayWiring } from './wiring.mjs'

const { ingress, part, parts, count, only, register } = JSON.parse(process.argv[2])
const node = Number(process.versions.node.split('.')[0])
const pattern = new RegExp(only ?? '')
const CELL_LIMIT_MS = 120_000
// A fault of a control may end in anything; what a control does is counted by what the services saw.
process.on('uncaughtException', error => print({ crash: String(error?.stack ?? error) }))
process.on('unhandledRejection', error => print({ crash: String(error?.stack ?? error) }))

resolveThird()

const print = row => process.stdout.write(`${JSON.stringify(row)}\n`)
const backend = await startBackend()
const fronts = register === true ? createRegisterFronts(backend) : undefined

let number = 0
for (const egress of Object.keys(EGRESSES)) {
  for (const condition of Object.keys(CONDITIONS)) {
    const name = `${ingress} x ${egress} x ${condition}`
    if (!pattern.test(name) || number++ % parts !== part) continue
    const cell = { node, ingress, egress, condition }
    const reason = notApplicable(node, ingress, egress, condition)
    if (reason !== undefined) {
      print({ ...cell, reason })
      continue
    }
    const start = fronts?.start ?? inProcess(lanewayWiring)
    const result = await bounded(runCell({ start, backend, ingress, egress, condition, count }))
    const fault = controlOf(egress, condition)
    const broken = inProcess(of => controlWiring(of, fault))
    const shown = await bounded(
      runCell({ start: broken, backend, ingress, egress, condition, count: CONDITIONS[condition].control ?? 64 }),
    )
    print({ ...cell, ...result, fault, control: shown.wrong + shown.lost + shown.doubled, controlWhy: shown.why })
  }
}
fronts?.end()
backend.close()
process.exit(0)

/** A front service in this process. */
function inProcess(makeWiring) {
  return async cell => {
    const wiring = makeWiring(cell.backend)
    const front = await startFront({ ...cell, wiring })
    return {
      ...front,
      async close() {
        await front.close()
        await wiring.close()
      },
    }
  }
}

/** A cell that hangs is a failed cell, not a hanging run. */
async function bounded(run) {
  let timer
  const late = new Promise(resolve => {
    timer = setTimeout(
      () => resolve({ sent: 0, wrong: 0, lost: 0, doubled: 0, failed: 1, why: 'hangs' }),
      CELL_LIMIT_MS,
    )
  })
  try {
    return await Promise.race([run, late])
  } catch (error) {
    return { sent: 0, wrong: 0, lost: 0, doubled: 0, failed: 1, why: String(error?.stack ?? error) }
  } finally {
    clearTimeout(timer)
  }
}

// A process with services under test: starts the rows that it is told, one after the other. It knows nothing of Laneway, but
// for the way "explicit", where the rows get what the packages export.
import { createKit } from './kit.mjs'
import { loadRow } from './rows.mjs'

const { way, urls, instances, resources } = JSON.parse(process.env.ECOSYSTEM)
let kit

process.on('message', async message => {
  try {
    process.send(await ORDERS[message.order](message))
  } catch (error) {
    process.send({ error: String(error?.stack ?? error) })
  }
})

const ORDERS = {
  async start({ file }) {
    const row = await loadRow(file)
    kit = await createKit({ way, urls, instances, resources })
    return { port: await kit.serve(await row.service(kit)) }
  },
  async stop() {
    const { notes, hits } = kit
    await kit.close()
    return { notes, hits }
  },
  async end() {
    setImmediate(() => process.disconnect())
    return {}
  },
}
process.send({ ready: true })

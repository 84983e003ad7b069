import { renameSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNacosClient } from '@laneway/nacos'
import { createNacosDevServer } from '@laneway/nacos-dev-server'
import t, { type Test } from 'tap'
import { startFarService } from './far-service.js'
import { type App, program, startApp } from './start-app.js'

/** How long each load lasts. `CONTROL_SECONDS=30` for a longer one. */
const SECONDS = Number(process.env['CONTROL_SECONDS'] ?? 6)
/** Each request makes three calls: 300 calls a second. */
const PER_SECOND = 100
const ON = 'gray[gray] gray[gray] gray[gray]'
const BASE = 'base[] base[] base[]'

interface Active {
  readonly active: boolean
  readonly control: {
    readonly source: string
    readonly enabledSince: string
    readonly settings: object
    readonly problem?: string
  }
  readonly warnings: readonly string[]
}

const agent = new Agent({ keepAlive: true })
t.teardown(() => agent.destroy())

function ask(app: App, tag?: string, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = tag === undefined ? {} : { 'x-mse-tag': tag }
    get(`${app.url}${path}`, { agent, headers }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve(`${response.statusCode === 200 ? '' : 'failed: '}${text}`))
    }).on('error', reject)
  })
}

const health = async (app: App): Promise<Active> => JSON.parse(await ask(app, undefined, '/health'))

async function until(app: App, holds: (state: Active) => boolean): Promise<Active> {
  for (;;) {
    const state = await health(app)
    if (holds(state)) return state
    await sleep(20)
  }
}

/** A service behind the host `localhost`: Laneway resolves it, and without Laneway DNS finds its base. */
async function startControlled(
  t: Test,
  environment: (folder: string) => Record<string, string>,
): Promise<{ app: App; folder: string }> {
  const far = await startFarService(t)
  const app = await startApp(t, program('controlled.mjs'), {
    environment: { ...far.environment, LANEWAY_ALIASES: 'localhost=svc', ...environment(far.folder) },
    args: [`http://localhost:${far.base}/`],
  })
  return { app, folder: far.folder }
}

/** Loads the app, and switches Laneway off and on meanwhile. */
async function underLoad(t: Test, app: App, replace: (document: string) => unknown): Promise<void> {
  const answers: { tag: string | undefined; answer: Promise<string> }[] = []
  const end = Date.now() + SECONDS * 1000
  let switches = 0
  const load = (async () => {
    for (let turn = 0; Date.now() < end || switches < 4; turn++) {
      const tag = turn % 2 === 0 ? 'gray' : undefined
      answers.push({ tag, answer: ask(app, tag).catch(error => `failed: ${error}`) })
      await sleep(1000 / PER_SECOND)
    }
  })()
  while (Date.now() < end || switches < 4) {
    const enabled = switches % 2 === 1
    await replace(JSON.stringify({ enabled, maxInFlight: 1000 + switches }))
    await until(app, ({ active }) => active === enabled)
    t.equal(await ask(app, 'gray'), enabled ? ON : BASE, enabled ? 'on: the lane' : 'off: as if Laneway was not there')
    t.equal(await ask(app), BASE)
    switches++
  }
  await load
  const seen = await Promise.all(answers.map(async ({ tag, answer }) => ({ tag, answer: await answer })))
  const wrong = seen.filter(({ tag, answer }) => answer !== BASE && !(tag === 'gray' && answer === ON))
  t.strictSame(
    wrong,
    [],
    `${seen.length} requests, ${switches} switches: none failed, changed its lane, or was in the lane of another`,
  )
  t.ok(seen.length > 100, `${switches} switches, ${seen.length} requests`)
}

t.test('a file switches Laneway off and on under load, and nothing fails', async t => {
  const { app, folder } = await startControlled(t, folder => ({ LANEWAY_CONTROL: join(folder, 'control.json') }))
  const file = join(folder, 'control.json')
  const replace = (document: string) => {
    writeFileSync(`${file}.new`, document)
    renameSync(`${file}.new`, file)
  }
  t.match(await health(app), { active: true, control: { source: file, settings: {} } })
  t.equal(await ask(app, 'gray'), ON)
  await underLoad(t, app, replace)
  replace('{"enabled": false, "maxInFlight": "many"}')
  const state = await until(app, ({ control }) => control.problem !== undefined)
  t.match(
    state.control.problem,
    /maxInFlight is a whole number from 1 to 1000000, without quotes|maxInFlight is a whole number/,
  )
  t.match(state.warnings.join(), /the control document is refused/)
  t.match(app.output.stderr, /LanewayWarning: .*control\.json: Laneway is switched off; maxInFlight in use/)
  replace('{"whenLaneMissing": "fail"}')
  await until(app, ({ control, active }) => active && Object.keys(control.settings).join() === 'whenLaneMissing')
  t.match(await ask(app, 'blue'), /failed: .*LANEWAY_LANE_REQUIRED/)
})

t.test('a configuration of Nacos does the same', async t => {
  const nacos = await createNacosDevServer({ port: 0 }).start()
  t.teardown(() => nacos.close())
  const client = createNacosClient({ servers: [nacos.address] })
  t.teardown(() => client.close())
  const { app } = await startControlled(t, () => ({
    LANEWAY_NACOS: nacos.address,
    LANEWAY_CONTROL: 'nacos:laneway-control@OPS',
  }))
  t.match(await health(app), { active: true, control: { source: 'nacos:laneway-control@OPS', settings: {} } })
  await underLoad(t, app, document => client.config.publish('laneway-control', document, { group: 'OPS' }))
})

t.test('a configuration of Nacos needs Nacos, and the diagnosis says what is active', async t => {
  await t.rejects(
    startControlled(t, () => ({ LANEWAY_CONTROL: 'nacos:laneway-control' })),
    {
      message:
        /LANEWAY_CONTROL is nacos:laneway-control, and there is no connection to Nacos: set LANEWAY_NACOS, or name a file/,
    },
  )
  const { app } = await startControlled(t, folder => {
    writeFileSync(join(folder, 'c.json'), '{"enabled": false}')
    return { LANEWAY_CONTROL: join(folder, 'c.json'), LANEWAY_DIAGNOSE: '1' }
  })
  t.equal(await ask(app, 'gray'), BASE, 'off from the start')
  while (!app.output.stderr.includes('laneway: control:')) await sleep(20)
  t.match(app.output.stderr, /laneway: control: .*c\.json: off since \d{4}-.*, settings of the start, taken \d{4}-/)
})

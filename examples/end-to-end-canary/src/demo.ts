import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commandInBackground, startInBackground } from './commands/background.js'
import { findPlay, stateFolder } from './commands/control.js'
import { isCommand } from './commands/run-command.js'
import { wrap } from './commands/table.js'
import { HELP, parseApplyOptions, parseStoryOptions, type StoryOptions } from './options.js'
import { Phases } from './phases.js'
import { type Play, startPlay } from './play/play.js'
import { inNetworkNamespace } from './registry.js'
import { playStory } from './story.js'
import { TRACE_TOKEN } from './traced.js'

/** Where the user stands: npm itself goes to the root of the repository. */
const cwd = process.env['INIT_CWD'] ?? process.cwd()
const MANIFESTS = relative(process.cwd(), fileURLToPath(new URL('../k8s/laneway-gateway', import.meta.url)))

async function tellStory(options: StoryOptions): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-demo-'))
  const interrupted = new Promise<number>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(130))
  })
  const play = await startPlay(options, options.manifests, folder)
  const story = judgeStory(options, play, interrupted)
  try {
    return await Promise.race([story, interrupted])
  } finally {
    // What is interrupted fails somewhere, and nobody asks any more.
    story.catch(() => {})
    await play.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function judgeStory(options: StoryOptions, play: Play, interrupted: Promise<number>): Promise<number> {
  const { fleet, colouring, url, meeting, entrance } = play
  const { register, speed } = options
  const pods = `a process for each pod of A, B and C${register ? ', started with --import @laneway/register' : ''}`
  for (const line of [
    `Runs here: ${pods}; ${entrance} before them; ${meeting}, where they find each other; a load generator without Laneway.`,
    'Emulated: Deployments and pods of Kubernetes, and the controller of OpenKruise Rollouts v0.6.2, with the states, ' +
      `messages, order and waits that were recorded from it, ${speed} times as fast.`,
    'Not here: all else that the manifests name, such as the pods of Nacos and MySQL, and MSE.',
  ])
    console.log(wrap(line).join('\n'))
  if (play.consoleUrl !== undefined) console.log(`the console is at ${play.consoleUrl}`)
  if (options.mutation !== undefined) console.log(`with a fault built in: ${options.mutation}`)
  const phases = new Phases(fleet, colouring, 'gray')
  const startLoad = () => phases.startLoad(`${url}/a`, options.rate, options.trace === true ? TRACE_TOKEN : '')
  // With --register it looks once a second.
  await playStory(play, phases, options.manifests, !options.register, startLoad)
  const well = await phases.finish()
  console.log(well ? '\nno request failed, none was in a wrong lane, none was late' : '\nNOT WELL: see the table')
  if (options.keep) {
    console.log(`\nstill running: curl ${url}/a -H 'User-Agent: xiaoming'; Ctrl-C ends it`)
    console.log('{tag|lane} in the answer: what each hop saw in the header, and what its context holds')
    await interrupted
  }
  return well ? 0 : 1
}

/** `apply` begins a play where there is none. */
async function applyInBackground(argv: readonly string[]): Promise<number> {
  const { play, filename } = parseApplyOptions(argv)
  const usual = fileURLToPath(new URL('../k8s/laneway-gateway', import.meta.url))
  const where = filename === undefined ? usual : resolve(cwd, filename)
  if (findPlay(stateFolder()) === undefined) {
    const { url, consoleUrl, log } = await startInBackground(play, where)
    if (consoleUrl !== undefined) console.error(`the console is at ${consoleUrl}`)
    console.error(`the entrance is ${url}, every change is in ${log}; end it with: npm run demo -- down`)
  }
  return command(['apply', '-f', where])
}

async function command(argv: readonly string[]): Promise<number> {
  const { code, text } = await commandInBackground(argv, cwd)
  if (text !== '') (code === 0 ? console.log : console.error)(text)
  return code
}

async function main(argv: readonly string[]): Promise<number> {
  const [word] = argv
  if (word === 'apply') return applyInBackground(argv.slice(1))
  if (word === 'down' || isCommand(word)) return command(argv)
  if (word !== undefined && !word.startsWith('-')) throw new Error(`error: unknown command "${word}", try --help`)
  const options = parseStoryOptions(argv, MANIFESTS)
  if (options === 'help') {
    process.stdout.write(HELP)
    return 0
  }
  if (options.kubernetes && (await inNetworkNamespace())) return Number(process.exitCode ?? 0)
  return tellStory(options)
}

try {
  process.exit(await main(process.argv.slice(2)))
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

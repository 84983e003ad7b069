// A play in the background: `demo apply` starts it, `demo down` ends it, and so does an hour without commands.
import { listen, type Outcome, stateFolder } from './commands/control.js'
import { runCommand } from './commands/run-command.js'
import type { PlayOptions } from './options.js'
import { startPlay } from './play/play.js'

const IDLE_LIMIT_MS = 3_600_000

const options: PlayOptions = JSON.parse(process.argv[2] ?? '{}')
const folder = stateFolder()
const play = await startPlay(options, process.argv[3] ?? '', folder)
let idle = setTimeout(end, IDLE_LIMIT_MS)

const unlisten = await listen(
  folder,
  { url: play.url, consoleUrl: play.consoleUrl, log: play.log },
  async (argv, cwd): Promise<Outcome> => {
    clearTimeout(idle)
    idle = setTimeout(end, IDLE_LIMIT_MS)
    if (argv[0] === 'down') {
      await play.close()
      // The answer goes out before the port closes.
      setTimeout(end, 50)
      return { code: 0, text: 'the play has ended' }
    }
    try {
      return { code: 0, text: await runCommand(play, argv, cwd) }
    } catch (error) {
      return { code: 1, text: (error as Error).message }
    }
  },
)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)

async function end(): Promise<void> {
  await play.close()
  unlisten()
  process.exit(0)
}

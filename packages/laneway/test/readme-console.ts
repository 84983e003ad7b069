import { join } from 'node:path'
import { withConsoleOutputs } from '@laneway/testkit'
import { application, command, root } from './command-line.js'
import { startChain } from './traced-chain.js'

interface Test {
  teardown(end: () => unknown): unknown
}

const fixtures = join(root, 'packages/laneway/test/fixtures')

/** The README with the output of each `$` line of its `console` blocks as the command gives it now. */
export async function withOutputs(t: Test, readme: string): Promise<string> {
  const app = application(t, ['register'])
  const chain = await startChain()
  t.teardown(() => chain.close())
  return withConsoleOutputs(readme, async line =>
    chain.masked(await outputOf(line.replace('http://localhost:8080/a', chain.url), app)),
  )
}

async function outputOf(line: string, app: string): Promise<string> {
  const words = Array.from(line.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, plain]) => quoted ?? plain!)
  const at = words.indexOf('laneway')
  const env = Object.fromEntries(words.slice(0, at).map(word => word.split('=') as [string, string]))
  const args = words.slice(at + 1)
  // The command runs in this process, whose working directory is another one.
  const file = args.indexOf('--file')
  if (file !== -1) args[file + 1] = join(fixtures, args[file + 1]!)
  const { stdout, stderr } = await command(args, { folder: args[0] === 'doctor' ? app : fixtures, env })
  return lastingPartOf(stdout + stderr).replaceAll(`${fixtures}/`, '')
}

/** Without what differs from one Node, or one version of the packages, to another. */
function lastingPartOf(output: string): string {
  return output
    .replaceAll(process.version, 'v22.12.0')
    .replaceAll(/(@laneway\/\S+) \d+\.\d+\.\d+/g, '$1 0.1.0')
    .replace(`built in ${process.versions['undici']}`, 'built in 6.20.1')
    .replaceAll(/^ +\n/gm, '\n')
}

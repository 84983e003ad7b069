import { join } from 'node:path'
import { application, command, root } from './command-line.js'

interface Test {
  teardown(end: () => unknown): unknown
}

const fixtures = join(root, 'packages/laneway/test/fixtures')
const BLOCK = /^```console\n([\s\S]*?)^```$/gm

/** The README with the output of each `$` line of its `console` blocks as the command gives it now. */
export async function withOutputs(t: Test, readme: string): Promise<string> {
  const app = application(t, ['register'])
  let text = ''
  let end = 0
  for (const block of readme.matchAll(BLOCK)) {
    text += readme.slice(end, block.index)
    end = block.index + block[0].length
    const lines = block[1]!.split('\n').filter(line => line.startsWith('$ '))
    const outputs: string[] = []
    for (const line of lines) outputs.push(`${line}\n${await outputOf(line.slice(2), app)}`)
    text += `\`\`\`console\n${outputs.join('\n')}\`\`\``
  }
  return text + readme.slice(end)
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

/** Without what differs from one Node to another. */
function lastingPartOf(output: string): string {
  return output
    .replaceAll(process.version, 'v22.12.0')
    .replace(`built in ${process.versions['undici']}`, 'built in 6.20.1')
    .replaceAll(/^ +\n/gm, '\n')
}

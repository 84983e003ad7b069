import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

/** How the commands reach a play that runs in the background. */
export interface Control {
  readonly pid: number
  readonly port: number
  /** Only who can read the file may command. */
  readonly token: string
  /** Of the entrance. */
  readonly url: string
  /** Of the console, where there is one. */
  readonly consoleUrl?: string | undefined
  readonly log: string
}

/** What a command came to. */
export interface Outcome {
  readonly code: number
  readonly text: string
}

/** Where a play in the background is found. `LANEWAY_DEMO_STATE` names another folder, for a second play. */
export function stateFolder(): string {
  return process.env['LANEWAY_DEMO_STATE'] || join(tmpdir(), `laneway-demo-${userInfo().username}`)
}

const fileIn = (folder: string) => join(folder, 'play.json')

/** Listens for commands on loopback. @returns what ends that */
export async function listen(
  folder: string,
  about: Pick<Control, 'url' | 'consoleUrl' | 'log'>,
  run: (argv: string[], cwd: string) => Promise<Outcome>,
): Promise<() => void> {
  const token = randomBytes(16).toString('hex')
  const server = createServer((request, response) => {
    if (request.method !== 'POST' || request.headers.authorization !== `Bearer ${token}`) {
      response.writeHead(403).end()
      return
    }
    let body = ''
    request.setEncoding('utf8')
    request.on('data', chunk => (body += chunk))
    request.on('end', async () => {
      const { argv, cwd } = JSON.parse(body)
      response.end(JSON.stringify(await run(argv, cwd)))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const control: Control = { pid: process.pid, port, token, ...about }
  writeFileSync(fileIn(folder), JSON.stringify(control), { mode: 0o600 })
  return () => {
    rmSync(fileIn(folder), { force: true })
    server.close()
    server.closeAllConnections()
  }
}

/** The play that runs, if one does. */
export function findPlay(folder: string): Control | undefined {
  try {
    const control: Control = JSON.parse(readFileSync(fileIn(folder), 'utf8'))
    process.kill(control.pid, 0)
    return control
  } catch {
    return undefined
  }
}

/** Has a play run a command. */
export async function send({ port, token }: Control, argv: readonly string[], cwd: string): Promise<Outcome> {
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ argv, cwd }),
  })
  return (await response.json()) as Outcome
}

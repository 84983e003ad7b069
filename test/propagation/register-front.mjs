// Front services with nothing of Laneway in their code, in a process of their own that is started with
// `--import @laneway/register`. What they call, and who judges them, stays without it.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./register-front-program.mjs', import.meta.url))

/** Serves one cell after the other; a process that fails is replaced. */
export function createRegisterFronts(backend) {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-propagation-'))
  const file = join(folder, 'endpoints.json')
  writeFileSync(file, JSON.stringify({ services: { svc: backend.instances, 'grpc-svc': backend.grpcInstances } }))
  const { thirdPort, proxyUrl, grpcInstances } = backend
  let child

  const answer = async message => {
    child ??= fork(program, {
      execArgv: ['--no-warnings', '--max-semi-space-size=32', '--import', '@laneway/register'],
      env: { ...process.env, LANEWAY_ENDPOINTS_FILE: file, LANEWAY_SERVICES: 'svc,grpc-svc', LANEWAY_LOG: 'silent' },
    })
    const asked = child
    const gone = new AbortController()
    asked.once('exit', () => gone.abort(new Error('the front service has ended')))
    asked.send(message)
    try {
      const [said] = await once(asked, 'message', { signal: gone.signal })
      if (said.error !== undefined) throw new Error(said.error)
      return said
    } catch (error) {
      asked.kill('SIGKILL')
      if (child === asked) child = undefined
      throw error
    }
  }

  return {
    async start({ ingress, egress, condition }) {
      const front = await answer({ backend: { thirdPort, proxyUrl, grpcInstances }, ingress, egress, condition })
      return { ...front, close: () => answer('close') }
    },
    end() {
      child?.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

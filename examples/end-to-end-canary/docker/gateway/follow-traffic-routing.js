// Writes a TrafficRouting into a file of rules while a release is in progress, and a file without rules else:
//
//   node follow-traffic-routing.js NAME FILE [--once]
//
// API_SERVER, NAMESPACE and TOKEN_FILE say where it is read; in a pod the defaults are right, with NODE_EXTRA_CA_CERTS.
import { readFile, rename, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

const [name, file, once] = process.argv.slice(2)
const { API_SERVER = 'https://kubernetes.default.svc', NAMESPACE = 'default' } = process.env
const { TOKEN_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token', INTERVAL_MS = '1000' } = process.env
const url = `${API_SERVER}/apis/rollouts.kruise.io/v1alpha1/namespaces/${NAMESPACE}/trafficroutings/${name}`
const nothing = { version: 1, rules: [] }
let written

async function rules() {
  // Read each time: the kubelet replaces the token.
  const token = (await readFile(TOKEN_FILE, 'utf8')).trim()
  const answer = await fetch(url, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
  })
  if (answer.status === 404) return nothing
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
  const { apiVersion, kind, metadata, spec, status } = await answer.json()
  if (status?.phase !== 'Progressing') return nothing
  return { apiVersion, kind, metadata: { name: metadata.name, namespace: metadata.namespace }, spec }
}

async function follow() {
  const text = `${JSON.stringify(await rules(), null, 2)}\n`
  if (text === written) return
  // A reader sees the old file or the new one, never half of one.
  await writeFile(`${file}.new`, text)
  await rename(`${file}.new`, file)
  written = text
  console.log(text === `${JSON.stringify(nothing, null, 2)}\n` ? 'no release in progress' : `colouring by ${name}`)
}

let told
for (;;) {
  try {
    await follow()
    told = undefined
    if (once) break
  } catch (error) {
    // The last file stays, whatever became of the API server.
    const problem = `${error.message}${error.cause ? `: ${error.cause.message}` : ''}`
    if (problem !== told) console.error(problem)
    told = problem
  }
  await sleep(Number(INTERVAL_MS))
}

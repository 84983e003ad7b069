// sc-a on 8080, sc-b in base and in lane gray; metrics on 9464, 9465 and 9466, as prometheus/prometheus.yml says.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const service = fileURLToPath(new URL('./service.js', import.meta.url))
const instances = JSON.stringify([
  { host: '127.0.0.1', port: 8081 },
  { host: '127.0.0.1', port: 8082, tags: ['gray'] },
])

const start = env => spawn(process.execPath, [service], { env: { ...process.env, ...env }, stdio: 'inherit' })
start({ SERVICE: 'sc-a', PORT: '8080', METRICS_PORT: '9464', SC_B: instances })
start({ SERVICE: 'sc-b', PORT: '8081', METRICS_PORT: '9465' })
start({ SERVICE: 'sc-b', PORT: '8082', METRICS_PORT: '9466', LANEWAY_TAG: 'gray' })

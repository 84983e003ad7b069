// Starts web, orders and a gray version of orders, and sends two requests.
const { spawn } = require('node:child_process')

const children = []
process.on('exit', () => {
  for (const child of children) child.kill()
})

/** Resolves when the program listens. */
function start(file, env, flags = []) {
  const child = spawn(process.execPath, [...flags, file], {
    cwd: __dirname,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  return new Promise((resolve, reject) => {
    child.stdout.on('data', text => String(text).includes('listening') && resolve())
    child.once('exit', code => reject(new Error(`${file} ended with ${code}`)))
  })
}

async function main() {
  await start('src/orders.js', { PORT: '18301', VERSION: '1.0' })
  await start('src/orders.js', { PORT: '18302', VERSION: '1.1' })
  await start('src/web.js', { PORT: '18300' }, ['--require', '@laneway/register'])
  for (const headers of [{}, { 'x-mse-tag': 'gray' }]) {
    const answer = await fetch('http://127.0.0.1:18300/cart', { headers })
    console.log(`${headers['x-mse-tag'] ?? 'no tag'}: ${await answer.text()}`)
  }
  if (process.argv.includes('--once')) process.exit(0)
  console.log("try: curl http://127.0.0.1:18300/cart -H 'x-mse-tag: gray'   (Ctrl-C ends everything)")
}

process.on('SIGINT', () => process.exit(0))
main().catch(error => {
  console.error(error)
  process.exit(1)
})

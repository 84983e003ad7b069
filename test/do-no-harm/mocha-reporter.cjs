// A reporter for mocha of any version: a JSON line a test, as reporter.mjs writes them, into the file of DO_NO_HARM_RESULTS.
const { appendFileSync } = require('node:fs')

module.exports = function reporter(runner) {
  const write = (test, result, why) => {
    const title = typeof test.titlePath === 'function' ? test.titlePath().join(' ') : test.fullTitle()
    const name = test.file === undefined ? title : `${relativeTo(test.file)} > ${title}`
    appendFileSync(process.env.DO_NO_HARM_RESULTS, `${JSON.stringify({ name, result, why })}\n`)
  }
  runner.on('pass', test => write(test, 'passed'))
  runner.on('pending', test => write(test, 'skipped'))
  runner.on('fail', (test, error) => write(test, 'failed', String(error.stack ?? error)))
}

function relativeTo(file) {
  return require('node:path').relative(process.cwd(), file)
}

// A reporter for `node --test`: one JSON line a test, with its whole name; and what a test file wrote to standard error.
import { relative } from 'node:path'

export default async function* reporter(events) {
  const names = new Map()
  for await (const { type, data } of events) {
    const file = relative(process.cwd(), data.file ?? '')
    if (type === 'test:stderr') yield `${JSON.stringify({ stderr: data.message })}\n`
    if (type === 'test:start') {
      const open = names.get(file) ?? []
      open.length = data.nesting
      open.push(data.name)
      names.set(file, open)
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const above = (names.get(file) ?? []).slice(0, data.nesting)
    const skipped = data.skip !== undefined || data.todo !== undefined
    const { cause, message } = data.details?.error ?? {}
    yield `${JSON.stringify({
      name: [file, ...above, data.name].join(' > '),
      result: skipped ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed',
      why: type === 'test:fail' ? String(cause?.stack ?? cause ?? message) : undefined,
    })}\n`
  }
}

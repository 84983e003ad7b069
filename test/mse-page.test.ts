// docs/reference/mse.md claims tests and sources: each claim names one that is there.
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'

const rows = readFileSync('docs/reference/mse.md', 'utf8')
  .split('\n')
  .filter(line => /^\| .* \| .* \| .* \|$/.test(line) && !line.startsWith('| piece |'))
  .map(line => line.slice(2, -2).split(' | ') as [piece: string, theirs: string, ours: string])

t.test('the page of MSE: every row says how it is known', async t => {
  t.ok(rows.length > 25)
  for (const [piece, theirs, ours] of rows) {
    t.match(theirs, /`(from documentation|unknown)`/, piece)
    for (const claim of theirs.split('`from documentation`').slice(1)) {
      t.match(claim, /\(https:\/\/[^)]+\)|at the same page|: Nacos$/, `${piece}: the page that says so`)
    }
    for (const claim of ours.split('`tested`').slice(1)) {
      t.match(claim, /\]\(\.\.\/[^)]+\)/, `${piece}: the test that shows it`)
    }
  }
})

t.test('the page of MSE: files that it links are there', async t => {
  const links = [...readFileSync('docs/reference/mse.md', 'utf8').matchAll(/\]\((?!https:)([^)#]+)[^)]*\)/g)]
  t.ok(links.length > 25)
  for (const [, path = ''] of links) t.ok(existsSync(`docs/reference/${path}`), path)
})

// Draws each docs/pictures/<name>.txt as <name>-light.svg and <name>-dark.svg. `--check` changes nothing and fails when a
// picture is not that of its text. A text has these lines:
//
//   title: what the picture shows, for those who cannot see it
//   columns: entrance, A, B               one column each, from left to right
//   row base: browser, A, B               a box in each column; `-` leaves the place empty, `(none)` draws a gap
//   path gray: browser > A > B | words    a way through the boxes, with words for the legend; `path base` is drawn plain
//   cross: A                              a box that the way must not reach
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../docs/pictures/', import.meta.url))
const THEMES = {
  light: { ink: '#1f2328', faint: '#818b98', box: '#f6f8fa', base: '#59636e', gray: '#8250df' },
  dark: { ink: '#f0f6fc', faint: '#656c76', box: '#151b23', base: '#9198a1', gray: '#b083f0' },
}
const STEP = 190
const ROW = 78
const BOX = { width: 118, height: 42 }
const TOP = 14
const LEFT = 12

function parse(text) {
  const picture = { rows: [], paths: [], cross: [] }
  for (const line of text.split('\n')) {
    const [, key, name, value] = /^(\w+)(?: (\w+))?: (.*)$/.exec(line) ?? []
    if (key === 'title') picture.title = value
    else if (key === 'columns') picture.columns = value.split(', ')
    else if (key === 'row') picture.rows.push({ name, cells: value.split(', ') })
    else if (key === 'cross') picture.cross.push(value)
    else if (key === 'path') {
      const [way, words = ''] = value.split(' | ')
      picture.paths.push({ name, stops: way.split(' > '), words })
    } else if (line.trim() !== '') throw new Error(`a picture has no line "${line}"`)
  }
  return picture
}

function draw(picture, colours) {
  const places = new Map()
  for (const [row, { cells }] of picture.rows.entries())
    for (const [column, name] of cells.entries())
      places.set(name, { x: LEFT + column * STEP, y: TOP + row * ROW, name })
  const width = LEFT * 2 + (picture.columns.length - 1) * STEP + BOX.width
  const legend = TOP + picture.rows.length * ROW + 8
  const height = legend + picture.paths.length * 22
  const parts = [...picture.paths.entries()].map(([index, path]) => way(path, index, places, picture, colours))
  for (const place of places.values()) if (place.name !== '-') parts.push(box(place, picture, colours))
  for (const [index, path] of picture.paths.entries()) parts.push(words(path, legend + index * 22, colours))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="14">
<title>${xml(picture.title)}</title>
${parts.join('\n')}
</svg>
`
}

function way({ name, stops }, index, places, { paths }, colours) {
  const colour = name === 'base' ? colours.base : colours.gray
  const offset = (index - (paths.length - 1) / 2) * 12
  const lines = stops.slice(1).map((stop, at) => {
    const from = placeOf(stops[at], places)
    const to = placeOf(stop, places)
    const [x1, y1] = [from.x + BOX.width, from.y + BOX.height / 2 + offset]
    const [x2, y2] = [to.x - 3, to.y + BOX.height / 2 + offset]
    const bend = (x2 - x1) / 2
    return (
      `<path d="M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}" fill="none" stroke="${colour}" stroke-width="2"/>` +
      `<path d="M${x2 + 1} ${y2} l-8 -4 v8 z" fill="${colour}"/>`
    )
  })
  return lines.join('\n')
}

function placeOf(name, places) {
  const place = places.get(name)
  if (place === undefined) throw new Error(`a path goes through "${name}", which is in no row`)
  return place
}

function box({ x, y, name }, { cross }, colours) {
  const gap = name.startsWith('(')
  const stroke = gap
    ? `stroke="${colours.faint}" stroke-dasharray="5 4"`
    : `stroke="${/gray/.test(name) ? colours.gray : colours.base}"`
  const middle = y + BOX.height / 2 + 5
  const crossed = cross.includes(name)
    ? `<path d="M${x + 8} ${y + 6} l${BOX.width - 16} ${BOX.height - 12}" stroke="${colours.faint}" stroke-width="2"/>`
    : ''
  return (
    `<rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="7" fill="${gap ? 'none' : colours.box}" ${stroke}/>` +
    `<text x="${x + BOX.width / 2}" y="${middle}" text-anchor="middle" fill="${gap ? colours.faint : colours.ink}">${xml(name.replace(/^\(|\)$/g, ''))}</text>${crossed}`
  )
}

function words({ name, words }, y, colours) {
  const colour = name === 'base' ? colours.base : colours.gray
  return (
    `<path d="M${LEFT} ${y} h28" stroke="${colour}" stroke-width="2"/><path d="M${LEFT + 32} ${y} l-8 -4 v8 z" fill="${colour}"/>` +
    `<text x="${LEFT + 42}" y="${y + 5}" fill="${colours.ink}">${xml(words)}</text>`
  )
}

const xml = text => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

const check = process.argv.includes('--check')
for (const file of readdirSync(folder).filter(name => name.endsWith('.txt'))) {
  const picture = parse(readFileSync(folder + file, 'utf8'))
  for (const [theme, colours] of Object.entries(THEMES)) {
    const target = `${folder}${file.replace('.txt', '')}-${theme}.svg`
    const svg = draw(picture, colours)
    if (!check) writeFileSync(target, svg)
    else if (readFileSync(target, 'utf8') !== svg) {
      console.error(`${target} is not the picture of ${file}: run npm run docs:write`)
      process.exitCode = 1
    }
  }
}

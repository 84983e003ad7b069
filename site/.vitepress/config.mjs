import { posix } from 'node:path'
import { slugify } from '../headings.mjs'
import { contents, markdownFiles, pagesOf } from '../pages.mjs'

const pages = pagesOf(markdownFiles())
const sidebar = contents().map(({ text, items }) => ({
  text,
  items: items.map(({ text, file }) => ({ text, link: `/${posix.join(pages.get(file) ?? '')}` })),
}))

export default {
  title: 'Laneway',
  description: 'End-to-end traffic lanes (full-link canary) for Node services',
  srcDir: 'pages',
  outDir: 'dist',
  markdown: { anchor: { slugify } },
  themeConfig: {
    outline: 'deep',
    search: { provider: 'local' },
    sidebar,
  },
}

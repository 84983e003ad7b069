import { unstable_cache } from 'next/cache'

export const dynamic = 'force-dynamic'

const read = unstable_cache(async () => (await fetch('http://sc-c/unstable')).text(), ['unstable'], { revalidate: 1 })

export const GET = async () => new Response(await read())

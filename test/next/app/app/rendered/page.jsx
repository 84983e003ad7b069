export const dynamic = 'force-dynamic'

export default async function Page() {
  return <p>{await (await fetch('http://sc-c/rendered')).text()}</p>
}

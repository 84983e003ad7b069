export const revalidate = 1

export default async function Page() {
  return <p>{await (await fetch('http://sc-c/kept')).text()}</p>
}

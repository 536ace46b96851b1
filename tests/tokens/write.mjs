// Writes the compiled contracts to tests/data/tokens, or with --check compares them with what is there.
import { readdirSync, readFileSync, writeFileSync, mkdirSync } from 'node:fs'

import { all } from './contracts.mjs'

const folder = '../data/tokens'
const isCheck = process.argv[2] === '--check'
mkdirSync(folder, { recursive: true })
const left = new Set(readdirSync(folder))
let differences = 0
for (const [name, contract] of await all()) {
  const file = `${name}.json`
  const text = `${JSON.stringify({ name, ...contract }, null, 1)}\n`
  const isThere = left.delete(file)
  if (isCheck && !(isThere && readFileSync(`${folder}/${file}`, 'utf8') === text)) {
    console.error(`tests/data/tokens/${file} is not what these sources and compilers give`)
    differences += 1
  }
  if (!isCheck) writeFileSync(`${folder}/${file}`, text)
}
for (const file of left) {
  console.error(`tests/data/tokens/${file} has no source`)
  differences += 1
}
process.exit(differences === 0 ? 0 : 1)

// What gatehouse.d.ts declares, and what the module has: both as lists of names, "factors.list" and so on.

import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [, , moduleFolder, interopFolder] = process.argv
const ts = createRequire(`${interopFolder}/`)('typescript')

const declarations = `${moduleFolder}/gatehouse.d.ts`
const program = ts.createProgram([declarations], { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext })
const checker = program.getTypeChecker()
const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(declarations)))
const isValue = (symbol) => Boolean(symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Class))

const membersOf = (type, prefix = '') => type.getProperties().flatMap((member) => {
  const memberType = checker.getTypeOfSymbol(member)
  return memberType.getCallSignatures().length ? [prefix + member.name] : membersOf(memberType, `${prefix}${member.name}.`)
})

const namesIn = (object, prefix = '') => Object.entries(object).flatMap(([name, value]) =>
  typeof value === 'function' ? [prefix + name] : namesIn(value, `${prefix}${name}.`))

const module = await import(pathToFileURL(`${moduleFolder}/gatehouse.js`))
const interface_ = exported.find(({ name }) => name === 'Gatehouse')
process.stdout.write(JSON.stringify({
  declared: { exports: exported.filter(isValue).map(({ name }) => name).sort(), members: membersOf(checker.getDeclaredTypeOfSymbol(interface_)).sort() },
  actual: { exports: Object.keys(module).sort(), members: namesIn(module.createGatehouse({ url: 'https://auth.example.com' })).sort() },
}))

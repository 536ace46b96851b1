package org.saldo

/** Reads the JSON that the tests' own server writes. */
class Json private constructor(private val text: String) {
    private var at = 0

    companion object {
        /** Returns maps, lists, strings, numbers (`Long`), booleans and `null`. */
        fun read(text: String): Any? = Json(text).run { value().also { blank(); check(at == text.length) { "more after the value" } } }
    }

    private fun blank() {
        while (at < text.length && text[at].isWhitespace()) at++
    }

    private fun take(expected: Char): Boolean {
        blank()
        return (at < text.length && text[at] == expected).also { if (it) at++ }
    }

    private fun value(): Any? {
        blank()
        return when (text[at]) {
            '{' -> map()
            '[' -> list()
            '"' -> string()
            't' -> word("true", true)
            'f' -> word("false", false)
            'n' -> word("null", null)
            else -> text.substring(at).takeWhile { it.isDigit() || it == '-' }.also { at += it.length }.toLong()
        }
    }

    private fun word(word: String, value: Any?): Any? = value.also { check(text.startsWith(word, at)); at += word.length }

    private fun map(): Map<String, Any?> = buildMap {
        check(take('{'))
        if (take('}')) return@buildMap
        do {
            blank()
            val name = string()
            check(take(':'))
            put(name, value())
        } while (take(','))
        check(take('}'))
    }

    private fun list(): List<Any?> = buildList {
        check(take('['))
        if (take(']')) return@buildList
        do add(value()) while (take(','))
        check(take(']'))
    }

    private fun string(): String = buildString {
        check(text[at++] == '"')
        while (text[at] != '"') {
            val char = text[at++]
            if (char != '\\') append(char) else append(escaped())
        }
        at++
    }

    private fun escaped(): Char = when (val char = text[at++]) {
        'n' -> '\n'
        't' -> '\t'
        'r' -> '\r'
        'b' -> '\b'
        'f' -> '\u000c'
        'u' -> text.substring(at, at + 4).toInt(16).toChar().also { at += 4 }
        else -> char
    }
}

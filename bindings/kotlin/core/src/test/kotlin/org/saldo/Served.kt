package org.saldo

import java.io.File
import org.saldo.ffi.Checkpoint
import org.saldo.ffi.ClientConfig
import org.saldo.ffi.Endpoint
import org.saldo.ffi.NetworkConfig
import org.saldo.ffi.Policy

/** One scenario of the table (`tests/ffi/README.md`), served by a process on loopback until it is closed. */
class Served(val name: String) : AutoCloseable {
    private val process = ProcessBuilder(server.path, name).redirectError(ProcessBuilder.Redirect.INHERIT).start()
    private val output = process.inputStream.bufferedReader()
    private val told = map(Json.read(checkNotNull(output.readLine()) { "the server said nothing about $name" }))

    val config: ClientConfig = config(map(told["config"]))
    val steps: List<Map<String, Any?>> = list(told["steps"]).map(::map)

    /** Lets the events of the time [at] happen. Returns what the server answers. */
    fun event(at: String): Map<String, Any?> {
        process.outputStream.write("$at\n".encodeToByteArray())
        process.outputStream.flush()
        return map(Json.read(output.readLine()))
    }

    override fun close() {
        process.outputStream.close()
        process.destroy()
        process.waitFor()
    }

    companion object {
        private val server = File(System.getProperty("saldo.tools"), "scenario-server")

        /** The names of all scenarios. */
        fun names(): List<String> =
            ProcessBuilder(server.path, "--list").start().inputStream.bufferedReader().readLines()

        @Suppress("UNCHECKED_CAST")
        fun map(value: Any?): Map<String, Any?> = value as Map<String, Any?>

        fun list(value: Any?): List<Any?> = value as List<*>

        /** Returns settings as the bindings take them. Fails on a setting that it does not know. */
        private fun config(told: Map<String, Any?>): ClientConfig {
            val known = setOf("network", "rpc", "beacon", "checkpoint", "checkpoint_sources", "policy", "agreement", "others")
            check(known.containsAll(told.keys)) { "unknown settings: ${told.keys - known}" }
            return ClientConfig(
                network = told["network"] as String,
                rpc = list(told["rpc"]).map { endpoint(map(it)) },
                beacon = list(told["beacon"]).map { endpoint(map(it)) },
                checkpoint = told["checkpoint"]?.let { checkpoint(map(it)) },
                checkpointSources = list(told["checkpoint_sources"] ?: emptyList<Any?>()).map { endpoint(map(it)) },
                agreement = (told["agreement"] as Long?)?.toUInt(),
                policy = told["policy"]?.let { policy(map(it)) },
                others = list(told["others"]).map { other(map(it)) },
            )
        }

        private fun other(told: Map<String, Any?>): NetworkConfig {
            check(setOf("network", "rpc", "policy").containsAll(told.keys)) { "unknown settings: ${told.keys}" }
            return NetworkConfig(
                network = told["network"] as String,
                rpc = list(told["rpc"]).map { endpoint(map(it)) },
                policy = told["policy"]?.let { policy(map(it)) },
            )
        }

        private fun endpoint(told: Map<String, Any?>): Endpoint {
            check(setOf("url", "name", "operator", "hosting").containsAll(told.keys)) { "unknown fields: ${told.keys}" }
            return Endpoint(told["url"] as String, told["name"] as String?, told["operator"] as String?, told["hosting"] as String?, null)
        }

        fun checkpoint(told: Map<String, Any?>): Checkpoint = Checkpoint(told["root"] as String, (told["slot"] as Long?)?.toULong())

        private fun policy(told: Map<String, Any?>): Policy {
            val known = setOf("finalized", "max_age_seconds", "deadline_ms", "operators_per_address", "strict")
            check(known.containsAll(told.keys)) { "unknown fields: ${told.keys - known}" }
            val usual = Policy()
            return Policy(
                finalized = told["finalized"] as Boolean? ?: usual.finalized,
                maxAgeSeconds = (told["max_age_seconds"] as Long?)?.toULong(),
                deadlineMs = (told["deadline_ms"] as Long?)?.toULong() ?: usual.deadlineMs,
                operatorsPerAddress = (told["operators_per_address"] as Long?)?.toUInt() ?: usual.operatorsPerAddress,
                strict = told["strict"] as Boolean? ?: usual.strict,
            )
        }
    }
}

package org.saldo.android

import android.content.Context
import java.io.File
import org.saldo.FileStorage

/**
 * Returns the storage of the network [network] in the app's private folder that Android leaves out of backups and device transfers.
 *
 * It must not be restored to another device: it contains the user's addresses, and saldo would have to prove everything again anyway.
 */
fun saldoStorage(context: Context, network: String = "mainnet", isReadOnly: Boolean = false): FileStorage =
    FileStorage(File(File(context.noBackupFilesDir, "saldo"), "$network.bin"), isReadOnly)

// The Android library (.aar). The project's own tests do not run this file: they have no Android SDK. What it compiles is compiled
// by the Maven module `androidcheck`, against Android 7.1.
//
// First build the native libraries, with the Android NDK and cargo-ndk 4, from the root of the repository:
//
//     cargo ndk -t arm64-v8a -t armeabi-v7a -t x86_64 -o bindings/kotlin/android/src/main/jniLibs \
//         build -p saldo-ffi --profile mobile --config crates/ffi/mobile.toml
//     readelf -lW bindings/kotlin/android/src/main/jniLibs/arm64-v8a/libsaldo_ffi.so    # each LOAD is aligned to 0x4000
//
// That file has the linker's flags, also those for devices with pages of 16 KiB, which Google Play requires since November 2025.
// Leave RUSTFLAGS unset: it would replace them. With a nightly toolchain that has `rust-src`, add
// `--config crates/ffi/from-source.toml`: docs/size.md has how much smaller that is.
//
// Then `bindings/kotlin/build --generate` writes the Kotlin bindings, and `gradle assembleRelease` here makes the .aar.
plugins {
    id("com.android.library") version "8.13.0"
    id("org.jetbrains.kotlin.android") version "2.4.21"
}

android {
    namespace = "org.saldo.android"
    compileSdk = 35
    defaultConfig {
        minSdk = 24
        consumerProguardFiles("consumer-rules.pro")
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }
    sourceSets["main"].kotlin.srcDirs("../core/src/main/kotlin", "../core/generated/kotlin")
}

kotlin {
    compilerOptions.jvmTarget.set(org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_1_8)
}

dependencies {
    // The .aar of JNA contains its native library for Android. Before 5.17 that one does not load with pages of 16 KiB.
    implementation("net.java.dev.jna:jna:5.19.1@aar")
    api("org.jetbrains.kotlinx:kotlinx-coroutines-android:1.11.0")
}

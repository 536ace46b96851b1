// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

// Each of these contracts answers `balanceOf` in a way that a wallet must survive.

contract DependsOnCaller {
    function balanceOf(address) external view returns (uint256) {
        return msg.sender == address(0) ? 1 : 2;
    }
}

contract DependsOnOrigin {
    function balanceOf(address) external view returns (uint256) {
        return tx.origin == address(0) ? 1 : 2;
    }
}

contract DependsOnNumber {
    function balanceOf(address) external view returns (uint256) {
        return block.number;
    }
}

contract DependsOnTime {
    function balanceOf(address) external view returns (uint256) {
        return block.timestamp;
    }
}

contract DependsOnGasLeft {
    function balanceOf(address) external view returns (uint256) {
        return gasleft();
    }
}

contract DependsOnGasLimit {
    function balanceOf(address) external view returns (uint256) {
        return block.gaslimit;
    }
}

contract DependsOnBaseFee {
    function balanceOf(address) external view returns (uint256) {
        return block.basefee;
    }
}

contract DependsOnGasPrice {
    function balanceOf(address) external view returns (uint256) {
        return tx.gasprice;
    }
}

contract DependsOnRandao {
    function balanceOf(address) external view returns (uint256) {
        return block.prevrandao;
    }
}

contract DependsOnCoinbase {
    function balanceOf(address) external view returns (uint256) {
        return uint160(address(block.coinbase)) + block.coinbase.balance;
    }
}

contract DependsOnChainId {
    function balanceOf(address) external view returns (uint256) {
        return block.chainid;
    }
}

contract DependsOnBlockHash {
    function balanceOf(address) external view returns (uint256) {
        return uint256(blockhash(block.number - 1));
    }
}

contract DependsOnOldBlockHash {
    function balanceOf(address) external view returns (uint256) {
        return uint256(blockhash(block.number - 200));
    }
}

contract DependsOnEther {
    function balanceOf(address owner) external view returns (uint256) {
        return owner.balance + address(this).balance;
    }
}

contract DependsOnOtherCode {
    function balanceOf(address owner) external view returns (uint256) {
        return uint256(owner.codehash) ^ owner.code.length;
    }
}

/// The constructor's only argument is the oracle, a contract with `balanceOf`.
contract DependsOnOracle {
    DependsOnOracle internal oracle;

    constructor(DependsOnOracle its) {
        oracle = its;
    }

    function balanceOf(address owner) external view returns (uint256) {
        return oracle.balanceOf(owner) * 3;
    }
}

contract BurnsAllGas {
    function balanceOf(address) external pure returns (uint256 sum) {
        while (true) {
            unchecked {
                sum += 1;
            }
        }
    }
}

contract Recurses {
    function balanceOf(address owner) external view returns (uint256) {
        return this.balanceOf(owner) + 1;
    }
}

/// Each call makes two, so that a limit of the depth alone does not end it.
contract RecursesTwice {
    function balanceOf(address owner) external view returns (uint256) {
        return this.balanceOf(owner) + this.balanceOf(owner);
    }
}

contract ReturnsFourGigabytes {
    function balanceOf(address) external pure returns (uint256) {
        assembly {
            return(0, 0xffffffff)
        }
    }
}

contract ReturnsOneMegabyte {
    function balanceOf(address) external pure returns (uint256) {
        assembly {
            mstore(0, 7)
            return(0, 0x100000)
        }
    }
}

contract HashesMuchMemory {
    function balanceOf(address) external pure returns (uint256 sum) {
        assembly {
            for {} 1 {} {
                sum := add(sum, keccak256(0, 0x20000))
            }
        }
    }
}

/// Runs a precompile again and again: its gas is cheap beside its time.
contract RepeatsPrecompile {
    function balanceOf(address) external view returns (uint256 sum) {
        assembly {
            for {} 1 {} {
                mstore(0, 1)
                sum := add(sum, staticcall(gas(), 5, 0, 0x60, 0, 0x20))
            }
        }
    }
}

/// Reads a new slot in each step, so that each step asks the provider.
contract ReadsManySlots {
    function balanceOf(address) external view returns (uint256 sum) {
        assembly {
            for { let slot := 0 } lt(slot, 5000) { slot := add(slot, 1) } {
                sum := add(sum, sload(slot))
            }
        }
    }
}

/// Asks a new account in each step.
contract ReadsManyAccounts {
    function balanceOf(address owner) external view returns (uint256 sum) {
        assembly {
            for { let step := 1 } lt(step, 5000) { step := add(step, 1) } {
                sum := add(sum, balance(add(owner, step)))
            }
        }
    }
}

contract ProxyToItself {
    fallback() external {
        assembly {
            calldatacopy(0, 0, calldatasize())
            let success := delegatecall(gas(), address(), 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if success { return(0, returndatasize()) }
            revert(0, returndatasize())
        }
    }
}

contract CatchesFailure {
    function balanceOf(address owner) external view returns (uint256) {
        try this.inner(owner) returns (uint256 amount) {
            return amount;
        } catch {
            return 0;
        }
    }

    function inner(address) external pure returns (uint256) {
        revert("always");
    }
}

/// The constructor's only argument is another token; its balance counts, and is zero if the call fails.
contract CatchesOtherToken {
    CatchesOtherToken internal other;

    constructor(CatchesOtherToken its) {
        other = its;
    }

    function balanceOf(address owner) external view returns (uint256) {
        try other.balanceOf(owner) returns (uint256 amount) {
            return amount;
        } catch {
            return 0;
        }
    }
}

/// The inner call runs out of the little gas that it gets.
contract CatchesOutOfGas {
    function balanceOf(address owner) external view returns (uint256) {
        try this.inner{gas: 20000}(owner) returns (uint256 amount) {
            return amount;
        } catch {
            return 0;
        }
    }

    function inner(address) external pure returns (uint256 sum) {
        while (true) {
            unchecked {
                sum += 1;
            }
        }
    }
}

contract Writes {
    uint256 internal counter;

    function balanceOf(address) external returns (uint256) {
        return ++counter;
    }
}

contract CreatesContract {
    function balanceOf(address) external returns (uint256) {
        return uint160(address(new DependsOnCaller())) == 0 ? 0 : 9;
    }
}

contract DestroysItself {
    function balanceOf(address owner) external returns (uint256) {
        selfdestruct(payable(owner));
    }
}

contract Logs {
    event Seen(address owner);

    function balanceOf(address owner) external returns (uint256) {
        emit Seen(owner);
        return 9;
    }
}

contract UsesTransientStorage {
    function balanceOf(address owner) external returns (uint256 amount) {
        assembly {
            tstore(owner, 9)
            amount := tload(owner)
        }
    }
}

contract Reverts {
    function balanceOf(address) external pure returns (uint256) {
        revert("no balance");
    }
}

contract HasNoBalanceOf {
    function name() external pure returns (string memory) {
        return "No Token";
    }
}

contract ReturnsNothing {
    function balanceOf(address) external pure {}
}

contract Returns31Bytes {
    function balanceOf(address) external pure returns (uint256) {
        assembly {
            mstore(0, not(0))
            return(0, 31)
        }
    }
}

contract Returns64Bytes {
    function balanceOf(address) external pure returns (uint256, uint256) {
        return (7, 8);
    }
}

contract IsInvalid {
    function balanceOf(address) external pure returns (uint256) {
        assembly {
            invalid()
        }
    }
}

/// Its symbol and decimals are hostile too.
contract OddDescription {
    function balanceOf(address) external pure returns (uint256) {
        return 7;
    }

    function symbol() external pure returns (bytes32) {
        return "MKR";
    }

    function decimals() external pure returns (uint256) {
        return 256;
    }
}

contract LongSymbol {
    function balanceOf(address) external pure returns (uint256) {
        return 7;
    }

    function symbol() external pure returns (string memory) {
        return string(new bytes(100000));
    }

    function decimals() external pure returns (uint8) {
        return 255;
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ERC20 as OpenZeppelin} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC1967Utils} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Utils.sol";
import {Initializable} from "@openzeppelin/contracts-upgradeable/proxy/utils/Initializable.sol";
import {ERC20Upgradeable} from "@openzeppelin/contracts-upgradeable/token/ERC20/ERC20Upgradeable.sol";
import {ERC20 as Solady} from "solady/src/tokens/ERC20.sol";
import {ERC20 as Solmate} from "solmate/src/tokens/ERC20.sol";

/// OpenZeppelin's token without any extension.
contract PlainToken is OpenZeppelin {
    constructor(address holder, uint256 units) OpenZeppelin("Plain Token", "PLAIN") {
        _mint(holder, units);
    }
}

/// OpenZeppelin's upgradeable token, to be used behind a proxy. Anyone may upgrade it.
contract UpgradeableToken is Initializable, ERC20Upgradeable {
    function initialize(address holder, uint256 units) external initializer {
        __ERC20_init("Upgradeable Token", "UPGR");
        _mint(holder, units);
    }

    function upgrade(address implementation, bytes calldata data) external {
        ERC1967Utils.upgradeToAndCall(implementation, data);
    }
}

/// Shows the compiler's layout of the struct that OpenZeppelin keeps in its ERC-7201 namespace.
contract UpgradeableTokenStorage {
    ERC20Upgradeable.ERC20Storage internal namespace;
}

/// What an upgrade of `UpgradeableToken` leads to: the balances move to slot 50.
contract MovedToken is Initializable {
    uint256[50] private _gap;
    mapping(address => uint256) public balanceOf;
    uint256 public totalSupply;

    string public constant name = "Moved Token";
    string public constant symbol = "MOVED";
    uint8 public constant decimals = 18;

    /// Takes over the balance of `holder`, and adds `units` to it, so that the old slot has an old amount.
    function migrate(address holder, uint256 units) external reinitializer(2) {
        bytes32 base = 0x52c63247e1f47db19d5ce0460030c497f067ca4cebf71ba98eeadabe20bace00;
        bytes32 slot = keccak256(abi.encode(holder, base));
        uint256 old;
        assembly {
            old := sload(slot)
        }
        balanceOf[holder] = old + units;
        totalSupply += old + units;
    }
}

contract SoladyToken is Solady {
    constructor(address holder, uint256 units) {
        _mint(holder, units);
    }

    function name() public pure override returns (string memory) {
        return "Solady Token";
    }

    function symbol() public pure override returns (string memory) {
        return "SOLADY";
    }
}

/// Its code has immutable values, so that each deployment has another hash.
contract SolmateToken is Solmate("Solmate Token", "SOLMATE", 18) {
    constructor(address holder, uint256 units) {
        _mint(holder, units);
    }
}
